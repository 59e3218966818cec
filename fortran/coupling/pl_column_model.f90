!> Land and soil water of a set of columns: fields, options and their creation.
module pl_column_model
   use pl_carbon_state, only: carbon_fields_type
   use pl_error, only: error_input, error_type, raise_error
   use pl_field_table, only: field_table_type, role_flux, role_parameter, role_state
   use pl_irrigation_state, only: irrigation_fields_type
   use pl_kinds, only: rk
   use pl_land_chunk, only: land_options_type
   use pl_land_state, only: create_land_fields, land_flux_type, land_forcing_type, land_parameter_type, land_state_type
   use pl_richards_column, only: richards_options_type
   use pl_snow_chunk, only: most_snow_layers
   use pl_soil_hydraulics, only: soil_hydraulics_type
   use pl_soil_thermal, only: soil_thermal_type
   implicit none (type, external)
   private
   public :: column_model_type, create_column_model, water_flux_type, water_parameter_type, water_state_type

   !> Soil water, carried from step to step.
   type :: water_state_type
      real(rk), allocatable :: soil_water(:, :)    !! per layer [m3 m-3]
      real(rk), allocatable :: pressure_head(:, :) !! per layer [m]
      real(rk), allocatable :: surface_water(:, :) !! ponded [kg m-2]
   end type water_state_type

   !> Soil hydraulic parameters per layer.
   type :: water_parameter_type
      real(rk), allocatable :: porosity(:, :)               !! [m3 m-3]
      real(rk), allocatable :: residual_water(:, :)         !! [m3 m-3]
      real(rk), allocatable :: retention_scale(:, :)        !! van Genuchten alpha [m-1] or air-entry head [m]
      real(rk), allocatable :: retention_shape(:, :)        !! van Genuchten n [1] or Clapp-Hornberger b [1]
      real(rk), allocatable :: saturated_conductivity(:, :) !! [m s-1]
      real(rk), allocatable :: specific_storage(:, :)       !! [m-1]
   end type water_parameter_type

   !> What follows from the parameters, for all columns.
   type :: derived_parameter_type
      type(soil_thermal_type) :: thermal                  !! of the soil layers
      type(soil_hydraulics_type), allocatable :: hydraulics(:) !! prepared, one per chunk
      real(rk), allocatable :: critical_water(:, :)       !! water below which root uptake falls [m3 m-3]
      real(rk), allocatable :: wilting_water(:, :)        !! water at which root uptake ceases [m3 m-3]
      real(rk), allocatable :: air_dry_water(:)           !! top layer, see pl_soil_evaporation [m3 m-3]
      real(rk), allocatable :: vapour_tortuosity(:)       !! top layer [1]
      real(rk), allocatable :: field_capacity(:)          !! top layer [m3 m-3]
      real(rk), allocatable :: freezing_film(:, :)        !! see pl_frozen_soil [m3 m-3]
      real(rk), allocatable :: freezing_scale(:, :)       !! see pl_frozen_soil [m3 m-3 K**power]
      real(rk), allocatable :: freezing_power(:, :)       !! see pl_frozen_soil [1]
   end type derived_parameter_type

   !> Results of the last step; means over the step.
   type :: water_flux_type
      real(rk), allocatable :: infiltration(:, :)           !! [kg m-2 s-1]
      real(rk), allocatable :: surface_runoff(:, :)         !! [kg m-2 s-1]
      real(rk), allocatable :: subsurface_runoff(:, :)      !! through the lower boundary [kg m-2 s-1]
      real(rk), allocatable :: water_table_depth(:, :)      !! [m]
      real(rk), allocatable :: soil_water_total(:, :)       !! liquid and ice [kg m-2]
      real(rk), allocatable :: soil_ice_total(:, :)         !! [kg m-2]
      real(rk), allocatable :: land_water(:, :)             !! soil, snow, ponded and intercepted water [kg m-2]
      real(rk), allocatable :: water_balance_residual(:, :) !! [kg m-2 per step]
      real(rk), allocatable :: substeps(:, :)               !! of soil water in the step [1]
   end type water_flux_type

   !> One set of columns.
   type :: column_model_type
      integer :: ncolumn = 0  !! columns, members included [1]
      integer :: nlayer = 0   !! hydrological layers [1]
      integer :: nthermal = 0 !! thermal layers [1]
      integer :: npatch = 0   !! patches per column [1]
      integer :: nsnow = 0    !! snow layers that may exist [1]
      logical :: is_prepared = .false. !! derived parameters fit the parameters
      logical :: has_soil_water = .true. !! soil water is solved; else soil and ponded water stay as they are set
      logical :: is_coupled = .false. !! soil and ponded water are those of the distributed subsurface (pl_coupled_step)
      logical :: has_expected_water = .false. !! surface and roots see the water below, else that of the step's start
      real(rk), allocatable :: expected_water(:, :) !! per layer, in an iterated coupling [m3 m-3]
      real(rk), allocatable :: expected_head(:, :)  !! the same [m]
      real(rk), allocatable :: piece_ice(:, :)      !! in the pieces of the layers of land and ground (pl_coupled_model) [m3 m-3]
      type(land_options_type) :: land_options
      integer :: retention = 1      !! pl_soil_hydraulics: retention_*
      real(rk) :: air_entry = 0.02_rk !! air-entry head of van Genuchten soils with small n [m]
      type(richards_options_type) :: water_options
      type(field_table_type) :: table
      type(land_state_type) :: land
      type(land_parameter_type) :: land_parameters
      type(land_forcing_type) :: forcing
      type(land_flux_type) :: land_flux
      type(water_state_type) :: water
      type(water_parameter_type) :: water_parameters
      type(water_flux_type) :: water_flux
      type(derived_parameter_type) :: derived
      type(carbon_fields_type) :: carbon
      type(irrigation_fields_type) :: irrigation
   end type column_model_type

contains

   !> Allocate all fields with harmless values; the driver then sets parameters and state by name.
   subroutine create_column_model(model, ncolumn, nlayer, nthermal, npatch, nsnow, error)
      type(column_model_type), target, intent(inout) :: model
      integer, intent(in) :: ncolumn, nlayer, nthermal, npatch, nsnow
      type(error_type), allocatable, intent(out) :: error !! sizes out of range, not enough memory
      if (ncolumn < 1 .or. nlayer < 2 .or. npatch < 1 .or. nthermal < nlayer) then
         call raise_error(error, error_input, "columns need at least one column, two soil layers, one patch, and as "// &
                          "many thermal as soil layers")
         return
      end if
      if (nsnow < 1 .or. nsnow > most_snow_layers) then
         call raise_error(error, error_input, "snow_layers: expected 1 to 12 layers")
         return
      end if
      if (model%ncolumn > 0) then
         call raise_error(error, error_input, "these columns exist already; create a new handle")
         return
      end if
      model%ncolumn = ncolumn
      model%nlayer = nlayer
      model%nthermal = nthermal
      model%npatch = npatch
      model%nsnow = nsnow
      model%table%ncolumn = ncolumn
      call create_land_fields(model%table, nlayer, nthermal, npatch, nsnow, model%land, model%land_parameters, &
                              model%forcing, model%land_flux, error)
      if (allocated(error)) return
      call create_water_fields(model%table, nlayer, model%water, model%water_parameters, model%water_flux, error)
   end subroutine create_column_model

   subroutine create_water_fields(table, nlayer, state, parameters, flux, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: nlayer
      type(water_state_type), target, intent(inout) :: state
      type(water_parameter_type), target, intent(inout) :: parameters
      type(water_flux_type), target, intent(inout) :: flux
      type(error_type), allocatable, intent(out) :: error
      call table%create(state%soil_water, "soil_water", role_state, nlayer, 0.2_rk, error)
      if (allocated(error)) return
      call table%create(state%pressure_head, "pressure_head", role_state, nlayer, -1.0_rk, error)
      if (allocated(error)) return
      call table%create(state%surface_water, "surface_water", role_state, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%porosity, "porosity", role_parameter, nlayer, 0.45_rk, error)
      if (allocated(error)) return
      call table%create(parameters%residual_water, "residual_water", role_parameter, nlayer, 0.05_rk, error)
      if (allocated(error)) return
      call table%create(parameters%retention_scale, "retention_scale", role_parameter, nlayer, 2.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%retention_shape, "retention_shape", role_parameter, nlayer, 1.5_rk, error)
      if (allocated(error)) return
      call table%create(parameters%saturated_conductivity, "saturated_conductivity", role_parameter, nlayer, 1.0e-6_rk, error)
      if (allocated(error)) return
      call table%create(parameters%specific_storage, "specific_storage", role_parameter, nlayer, 1.0e-5_rk, error)
      if (allocated(error)) return
      call table%create(flux%infiltration, "infiltration", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%surface_runoff, "surface_runoff", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%subsurface_runoff, "subsurface_runoff", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%water_table_depth, "water_table_depth", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%soil_water_total, "soil_water_total", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%soil_ice_total, "soil_ice_total", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%land_water, "land_water", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%water_balance_residual, "water_balance_residual", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%substeps, "substeps", role_flux, 1, 0.0_rk, error)
   end subroutine create_water_fields

end module pl_column_model
