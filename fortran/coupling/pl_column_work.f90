!> What the land phase of a step leaves for its end, in a chunk of columns.
module pl_column_work
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: weather_chunk_type
   use pl_land_step, only: land_sums_type
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type
   implicit none (type, external)
   private
   public :: column_work_type, snow_flux_type

   !> What snow does in a step, mean over the step.
   type :: snow_flux_type
      real(rk) :: melt(w)              !! refreezing negative [kg m-2 s-1]
      real(rk) :: outflow(w)           !! water leaving the snow at its base [kg m-2 s-1]
      real(rk) :: unmet_sublimation(w) !! demand without ice to meet it [kg m-2 s-1]
      real(rk) :: water_input(w)       !! rain, drip and outflow reaching the soil [kg m-2 s-1]
      real(rk) :: lost_heat(w)         !! of fusion of traces of snow that vanish [W m-2]
      real(rk) :: ice_before(w, most_snow_layers) !! before the phase change [kg m-2]
      real(rk) :: iterations(w)        !! of ground heat [1]
   end type snow_flux_type

   !> One chunk between its land phase and its end.
   type :: column_work_type
      integer :: source(w)             !! column of each lane
      type(weather_chunk_type) :: weather
      type(land_sums_type) :: sums
      type(snow_chunk_type) :: snow
      type(snow_flux_type) :: snow_flux
      real(rk) :: storage_before(w)    !! water whose balance is that of the column, at the start [kg m-2]
      real(rk) :: surface_input(w)     !! water reaching the ground less soil evaporation [kg m-2 s-1]
   end type column_work_type

end module pl_column_work
