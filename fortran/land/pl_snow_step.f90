!> The snow pack after heat has passed through it: vapour, new snow, water, settling, layers, cover.
module pl_snow_step
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: latent_fusion
   use pl_kinds, only: rk
   use pl_snow_chunk, only: snow_chunk_type
   use pl_snow_vapour, only: exchange_vapour
   implicit none (type, external)
   private
   public :: snow_step

contains

   !> Advance the pack.
   subroutine snow_step(dt, rain, snowfall, sublimation, snow, outflow, water_input, unmet_sublimation, lost_heat)
      real(rk), intent(in) :: dt                    !! time step [s]
      real(rk), intent(in) :: rain(w)               !! reaching the ground [kg m-2 s-1]
      real(rk), intent(in) :: snowfall(w)           !! reaching the ground [kg m-2 s-1]
      real(rk), intent(in) :: sublimation(w)        !! wanted [kg m-2 s-1]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(out) :: outflow(w)           !! at the base of the snow [kg m-2 s-1]
      real(rk), intent(out) :: water_input(w)       !! to soil and pond [kg m-2 s-1]
      real(rk), intent(out) :: unmet_sublimation(w) !! [kg m-2 s-1]
      real(rk), intent(out) :: lost_heat(w)         !! of fusion of snow that vanished [W m-2]
      call exchange_vapour(dt, sublimation, snow, unmet_sublimation)
      outflow = 0.0_rk
      water_input = rain + snowfall
      lost_heat = latent_fusion*snowfall
   end subroutine snow_step

end module pl_snow_step
