!> State, parameters, forcing and fluxes of the land columns.
!>
!> Every array is (ncolumn, n); n is a number of layers, patches or 1. Names are those of
!> pyland/base/variables.yaml. Patches of a column share its soil; their fractions sum to one, bare
!> ground being a patch without leaves and stems.
module pl_land_state
   use pl_error, only: error_type
   use pl_field_table, only: field_table_type, role_flux, role_forcing, role_parameter, role_state
   use pl_kinds, only: rk
   use pl_constants, only: freezing_point
   use pl_land_chunk, only: nband
   use pl_snow_chunk, only: smallest_grain
   implicit none (type, external)
   private
   public :: create_land_fields
   public :: land_flux_type, land_forcing_type, land_parameter_type, land_state_type

   !> Carried from step to step.
   type :: land_state_type
      real(rk), allocatable :: soil_temperature(:, :)   !! per thermal layer [K]
      real(rk), allocatable :: leaf_temperature(:, :)   !! per patch [K]
      real(rk), allocatable :: canopy_water(:, :)       !! intercepted water per patch, per ground area [kg m-2]
      real(rk), allocatable :: canopy_snow(:, :)        !! intercepted snow per patch, per ground area [kg m-2]
      real(rk), allocatable :: growth_temperature(:, :) !! 10-day mean of the air temperature [K]
      real(rk), allocatable :: soil_ice(:, :)           !! per soil layer, as volume of liquid water [m3 m-3]
      ! snow: layers aligned at the bottom, the last touches the ground; absent layers hold nothing (pl_snow_chunk)
      real(rk), allocatable :: snow_ice(:, :)             !! per snow layer [kg m-2]
      real(rk), allocatable :: snow_liquid(:, :)          !! per snow layer [kg m-2]
      real(rk), allocatable :: snow_layer_thickness(:, :) !! per snow layer, where snow lies [m]
      real(rk), allocatable :: snow_temperature(:, :)     !! per snow layer [K]
      real(rk), allocatable :: snow_grain_radius(:, :)    !! optical radius per snow layer [um]
      real(rk), allocatable :: snow_age(:, :)             !! non-dimensional age of the surface [1]
      real(rk), allocatable :: snow_dust_age(:, :)        !! time since the snow fell, per snow layer [day]
      real(rk), allocatable :: snow_cover_fraction(:, :)  !! share of the ground under snow [1]
      real(rk), allocatable :: snow_mass_maximum(:, :)    !! largest snow mass of the season [kg m-2]
   end type land_state_type

   !> Constant in time.
   type :: land_parameter_type
      real(rk), allocatable :: thickness(:, :)             !! of the thermal layers, soil above bedrock [m]
      real(rk), allocatable :: reference_height(:, :)      !! of the forcing above ground [m]
      real(rk), allocatable :: topography_deviation(:, :)  !! standard deviation of elevation within the cell [m]
      real(rk), allocatable :: sand(:, :)                  !! share of the mineral soil [%]
      real(rk), allocatable :: clay(:, :)                  !! share of the mineral soil [%]
      real(rk), allocatable :: organic(:, :)               !! organic share of the solids [1]
      real(rk), allocatable :: soil_albedo_dry(:, :)       !! per band, dry soil [1]
      real(rk), allocatable :: soil_albedo_saturated(:, :) !! per band, saturated soil [1]
      real(rk), allocatable :: patch_fraction(:, :)        !! share of the column [1]
      real(rk), allocatable :: canopy_top(:, :)            !! [m]
      real(rk), allocatable :: canopy_bottom(:, :)         !! lowest leaves [m]
      real(rk), allocatable :: leaf_angle(:, :)            !! departure from spherical orientation [1]
      real(rk), allocatable :: leaf_reflectance_vis(:, :), leaf_reflectance_nir(:, :)     !! [1]
      real(rk), allocatable :: leaf_transmittance_vis(:, :), leaf_transmittance_nir(:, :) !! [1]
      real(rk), allocatable :: stem_reflectance_vis(:, :), stem_reflectance_nir(:, :)     !! [1]
      real(rk), allocatable :: stem_transmittance_vis(:, :), stem_transmittance_nir(:, :) !! [1]
      real(rk), allocatable :: roughness_ratio(:, :)       !! roughness length / canopy top [1]
      real(rk), allocatable :: displacement_ratio(:, :)    !! displacement height / canopy top [1]
      real(rk), allocatable :: leaf_dimension(:, :)        !! [m]
      real(rk), allocatable :: vcmax25_top(:, :)           !! [umol m-2 s-1]
      real(rk), allocatable :: is_c4(:, :)                 !! 1 for C4, 0 for C3
      real(rk), allocatable :: stomatal_slope(:, :)        !! Ball-Berry m [1] or Medlyn g1 [kPa^0.5]
      real(rk), allocatable :: stomatal_intercept(:, :)    !! [umol m-2 s-1]
      real(rk), allocatable :: psi_open(:, :)              !! soil water potential of open stomata [m]
      real(rk), allocatable :: psi_closed(:, :)            !! soil water potential of closed stomata [m]
      real(rk), allocatable :: root_fraction(:, :)         !! per soil layer and patch, layers first [1]
   end type land_parameter_type

   !> Set by the driver before each step; means over the step.
   type :: land_forcing_type
      real(rk), allocatable :: air_temperature(:, :)   !! [K]
      real(rk), allocatable :: specific_humidity(:, :) !! [kg kg-1]
      real(rk), allocatable :: surface_pressure(:, :)  !! [Pa]
      real(rk), allocatable :: wind_speed(:, :)        !! [m s-1]
      real(rk), allocatable :: shortwave_down(:, :)    !! [W m-2]
      real(rk), allocatable :: longwave_down(:, :)     !! [W m-2]
      real(rk), allocatable :: rain(:, :)              !! [kg m-2 s-1]
      real(rk), allocatable :: snowfall(:, :)          !! [kg m-2 s-1]
      real(rk), allocatable :: cosine_zenith(:, :)     !! [1]
      real(rk), allocatable :: daylength_factor(:, :)  !! [1]
      real(rk), allocatable :: co2(:, :)               !! [mol mol-1]
      real(rk), allocatable :: leaf_area_index(:, :)   !! per patch [1]
      real(rk), allocatable :: stem_area_index(:, :)   !! per patch [1]
   end type land_forcing_type

   !> Results of the last step; means over the step and the column.
   type :: land_flux_type
      real(rk), allocatable :: net_radiation(:, :)            !! down [W m-2]
      real(rk), allocatable :: shortwave_up(:, :)             !! [W m-2]
      real(rk), allocatable :: longwave_up(:, :)              !! [W m-2]
      real(rk), allocatable :: latent_heat_flux(:, :)         !! up [W m-2]
      real(rk), allocatable :: sensible_heat_flux(:, :)       !! up [W m-2]
      real(rk), allocatable :: ground_heat_flux(:, :)         !! down, into the soil from above [W m-2]
      real(rk), allocatable :: transpiration(:, :)            !! [kg m-2 s-1]
      real(rk), allocatable :: canopy_evaporation(:, :)       !! [kg m-2 s-1]
      real(rk), allocatable :: soil_evaporation(:, :)         !! [kg m-2 s-1]
      real(rk), allocatable :: sublimation(:, :)              !! from snow on the ground and on leaves [kg m-2 s-1]
      real(rk), allocatable :: snow_melt(:, :)                !! refreezing negative [kg m-2 s-1]
      real(rk), allocatable :: snow_outflow(:, :)             !! water leaving the snow at its base [kg m-2 s-1]
      real(rk), allocatable :: ground_water_input(:, :)       !! rain, drip and snow's outflow reaching the soil [kg m-2 s-1]
      real(rk), allocatable :: snow_mass(:, :)                !! on the ground at the end of the step [kg m-2]
      real(rk), allocatable :: snow_depth(:, :)               !! mean over the column [m]
      real(rk), allocatable :: snow_heat_flux(:, :)           !! gain of enthalpy of the snow, melt included [W m-2]
      real(rk), allocatable :: heat_iterations(:, :)          !! of ground heat in the step [1]
      real(rk), allocatable :: evapotranspiration(:, :)       !! [kg m-2 s-1]
      real(rk), allocatable :: throughfall(:, :)              !! water reaching the ground [kg m-2 s-1]
      real(rk), allocatable :: gross_primary_production(:, :) !! of carbon [kg m-2 s-1]
      real(rk), allocatable :: ground_temperature(:, :)       !! at the end of the step [K]
      real(rk), allocatable :: radiative_temperature(:, :)    !! [K]
      real(rk), allocatable :: friction_velocity(:, :)        !! [m s-1]
      real(rk), allocatable :: water_stress(:, :)             !! leaf-area weighted, 1 without stress [1]
      real(rk), allocatable :: energy_balance_residual(:, :)  !! [W m-2]
   end type land_flux_type

contains

   !> Allocate all land fields and enter them in the table.
   subroutine create_land_fields(table, nlayer, nthermal, npatch, nsnow, state, parameters, forcing, flux, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: nlayer   !! hydrological soil layers [1]
      integer, intent(in) :: nthermal !! thermal layers, at least nlayer [1]
      integer, intent(in) :: npatch   !! patches per column [1]
      integer, intent(in) :: nsnow    !! snow layers that may exist [1]
      type(land_state_type), target, intent(inout) :: state
      type(land_parameter_type), target, intent(inout) :: parameters
      type(land_forcing_type), target, intent(inout) :: forcing
      type(land_flux_type), target, intent(inout) :: flux
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      call create_state(table, nthermal, npatch, state, error)
      if (allocated(error)) return
      call create_frozen_state(table, nlayer, npatch, nsnow, state, error)
      if (allocated(error)) return
      call create_soil_parameters(table, nlayer, nthermal, npatch, parameters, error)
      if (allocated(error)) return
      call create_plant_parameters(table, npatch, parameters, error)
      if (allocated(error)) return
      call create_forcing(table, npatch, forcing, error)
      if (allocated(error)) return
      call create_flux(table, flux, error)
   end subroutine create_land_fields

   subroutine create_state(table, nthermal, npatch, state, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: nthermal, npatch
      type(land_state_type), target, intent(inout) :: state
      type(error_type), allocatable, intent(out) :: error
      call table%create(state%soil_temperature, "soil_temperature", role_state, nthermal, 285.0_rk, error)
      if (allocated(error)) return
      call table%create(state%leaf_temperature, "leaf_temperature", role_state, npatch, 285.0_rk, error)
      if (allocated(error)) return
      call table%create(state%canopy_water, "canopy_water", role_state, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%growth_temperature, "growth_temperature", role_state, 1, 285.0_rk, error)
   end subroutine create_state

   subroutine create_frozen_state(table, nlayer, npatch, nsnow, state, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: nlayer, npatch, nsnow
      type(land_state_type), target, intent(inout) :: state
      type(error_type), allocatable, intent(out) :: error
      call table%create(state%canopy_snow, "canopy_snow", role_state, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%soil_ice, "soil_ice", role_state, nlayer, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_ice, "snow_ice", role_state, nsnow, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_liquid, "snow_liquid", role_state, nsnow, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_layer_thickness, "snow_layer_thickness", role_state, nsnow, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_temperature, "snow_temperature", role_state, nsnow, freezing_point, error)
      if (allocated(error)) return
      call table%create(state%snow_grain_radius, "snow_grain_radius", role_state, nsnow, smallest_grain, error)
      if (allocated(error)) return
      call table%create(state%snow_age, "snow_age", role_state, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_dust_age, "snow_dust_age", role_state, nsnow, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_cover_fraction, "snow_cover_fraction", role_state, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(state%snow_mass_maximum, "snow_mass_maximum", role_state, 1, 0.0_rk, error)
   end subroutine create_frozen_state

   subroutine create_soil_parameters(table, nlayer, nthermal, npatch, parameters, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: nlayer, nthermal, npatch
      type(land_parameter_type), target, intent(inout) :: parameters
      type(error_type), allocatable, intent(out) :: error
      call table%create(parameters%thickness, "thickness", role_parameter, nthermal, 0.1_rk, error)
      if (allocated(error)) return
      call table%create(parameters%reference_height, "reference_height", role_parameter, 1, 10.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%topography_deviation, "topography_deviation", role_parameter, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%sand, "sand", role_parameter, nlayer, 40.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%clay, "clay", role_parameter, nlayer, 20.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%organic, "organic", role_parameter, nlayer, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%soil_albedo_dry, "soil_albedo_dry", role_parameter, nband, 0.2_rk, error)
      if (allocated(error)) return
      call table%create(parameters%soil_albedo_saturated, "soil_albedo_saturated", role_parameter, nband, 0.1_rk, error)
      if (allocated(error)) return
      call table%create(parameters%root_fraction, "root_fraction", role_parameter, nlayer*npatch, 0.0_rk, error)
   end subroutine create_soil_parameters

   subroutine create_plant_parameters(table, npatch, parameters, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: npatch
      type(land_parameter_type), target, intent(inout) :: parameters
      type(error_type), allocatable, intent(out) :: error
      call table%create(parameters%patch_fraction, "patch_fraction", role_parameter, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%canopy_top, "canopy_top", role_parameter, npatch, 0.5_rk, error)
      if (allocated(error)) return
      call table%create(parameters%canopy_bottom, "canopy_bottom", role_parameter, npatch, 0.01_rk, error)
      if (allocated(error)) return
      call table%create(parameters%leaf_angle, "leaf_angle", role_parameter, npatch, 0.01_rk, error)
      if (allocated(error)) return
      call table%create(parameters%leaf_reflectance_vis, "leaf_reflectance_vis", role_parameter, npatch, 0.1_rk, error)
      if (allocated(error)) return
      call table%create(parameters%leaf_reflectance_nir, "leaf_reflectance_nir", role_parameter, npatch, 0.4_rk, error)
      if (allocated(error)) return
      call table%create(parameters%leaf_transmittance_vis, "leaf_transmittance_vis", role_parameter, npatch, 0.05_rk, error)
      if (allocated(error)) return
      call table%create(parameters%leaf_transmittance_nir, "leaf_transmittance_nir", role_parameter, npatch, 0.3_rk, error)
      if (allocated(error)) return
      call table%create(parameters%stem_reflectance_vis, "stem_reflectance_vis", role_parameter, npatch, 0.2_rk, error)
      if (allocated(error)) return
      call table%create(parameters%stem_reflectance_nir, "stem_reflectance_nir", role_parameter, npatch, 0.4_rk, error)
      if (allocated(error)) return
      call table%create(parameters%stem_transmittance_vis, "stem_transmittance_vis", role_parameter, npatch, 0.001_rk, error)
      if (allocated(error)) return
      call table%create(parameters%stem_transmittance_nir, "stem_transmittance_nir", role_parameter, npatch, 0.001_rk, error)
      if (allocated(error)) return
      call table%create(parameters%roughness_ratio, "roughness_ratio", role_parameter, npatch, 0.12_rk, error)
      if (allocated(error)) return
      call table%create(parameters%displacement_ratio, "displacement_ratio", role_parameter, npatch, 0.68_rk, error)
      if (allocated(error)) return
      call table%create(parameters%leaf_dimension, "leaf_dimension", role_parameter, npatch, 0.04_rk, error)
      if (allocated(error)) return
      call table%create(parameters%vcmax25_top, "vcmax25_top", role_parameter, npatch, 60.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%is_c4, "is_c4", role_parameter, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%stomatal_slope, "stomatal_slope", role_parameter, npatch, 4.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%stomatal_intercept, "stomatal_intercept", role_parameter, npatch, 100.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%psi_open, "psi_open", role_parameter, npatch, -74.0_rk, error)
      if (allocated(error)) return
      call table%create(parameters%psi_closed, "psi_closed", role_parameter, npatch, -275.0_rk, error)
   end subroutine create_plant_parameters

   subroutine create_forcing(table, npatch, forcing, error)
      type(field_table_type), intent(inout) :: table
      integer, intent(in) :: npatch
      type(land_forcing_type), target, intent(inout) :: forcing
      type(error_type), allocatable, intent(out) :: error
      call table%create(forcing%air_temperature, "air_temperature", role_forcing, 1, 285.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%specific_humidity, "specific_humidity", role_forcing, 1, 0.005_rk, error)
      if (allocated(error)) return
      call table%create(forcing%surface_pressure, "surface_pressure", role_forcing, 1, 1.0e5_rk, error)
      if (allocated(error)) return
      call table%create(forcing%wind_speed, "wind_speed", role_forcing, 1, 2.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%shortwave_down, "shortwave_down", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%longwave_down, "longwave_down", role_forcing, 1, 300.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%rain, "rain", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%snowfall, "snowfall", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%cosine_zenith, "cosine_zenith", role_forcing, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%daylength_factor, "daylength_factor", role_forcing, 1, 1.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%co2, "co2", role_forcing, 1, 3.8e-4_rk, error)
      if (allocated(error)) return
      call table%create(forcing%leaf_area_index, "leaf_area_index", role_forcing, npatch, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(forcing%stem_area_index, "stem_area_index", role_forcing, npatch, 0.0_rk, error)
   end subroutine create_forcing

   subroutine create_flux(table, flux, error)
      type(field_table_type), intent(inout) :: table
      type(land_flux_type), target, intent(inout) :: flux
      type(error_type), allocatable, intent(out) :: error
      call table%create(flux%net_radiation, "net_radiation", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%shortwave_up, "shortwave_up", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%longwave_up, "longwave_up", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%latent_heat_flux, "latent_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%sensible_heat_flux, "sensible_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%ground_heat_flux, "ground_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%transpiration, "transpiration", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%canopy_evaporation, "canopy_evaporation", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%soil_evaporation, "soil_evaporation", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%sublimation, "sublimation", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_melt, "snow_melt", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_outflow, "snow_outflow", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%ground_water_input, "ground_water_input", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_mass, "snow_mass", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_depth, "snow_depth", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%snow_heat_flux, "snow_heat_flux", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%heat_iterations, "heat_iterations", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%evapotranspiration, "evapotranspiration", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%throughfall, "throughfall", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%gross_primary_production, "gross_primary_production", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%ground_temperature, "ground_temperature", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%radiative_temperature, "radiative_temperature", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%friction_velocity, "friction_velocity", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%water_stress, "water_stress", role_flux, 1, 0.0_rk, error)
      if (allocated(error)) return
      call table%create(flux%energy_balance_residual, "energy_balance_residual", role_flux, 1, 0.0_rk, error)
   end subroutine create_flux

end module pl_land_state
