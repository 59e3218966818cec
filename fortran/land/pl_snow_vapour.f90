!> Vapour taken from the snow pack and given to it: sublimation and frost.
module pl_snow_vapour
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_snow_chunk, only: snow_chunk_type
   use pl_snow_water, only: gone_ice
   implicit none (type, external)
   private
   public :: exchange_vapour

contains

   !> Take sublimation from the ice, from the surface downward; frost joins the first layer that has ice.
   !>
   !> Layers keep their density. What the pack has not got is returned: its latent heat was not needed. So is frost on a
   !> pack that has melted: as ice it would keep the cover that feeds it, under moist air for ever and on ground of any
   !> temperature.
   pure subroutine exchange_vapour(dt, sublimation, snow, unmet)
      real(rk), intent(in) :: dt             !! time step [s]
      real(rk), intent(in) :: sublimation(w) !! frost negative [kg m-2 s-1]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(out) :: unmet(w)      !! sublimation without ice to feed it, frost without ice to join [kg m-2 s-1]
      real(rk) :: wanted(w), taken, left
      integer :: i, k
      wanted = dt*sublimation
      do k = 1, snow%nsnow
         do i = 1, w
            taken = merge(min(wanted(i), snow%ice(i, k)), 0.0_rk, snow%ice(i, k) > merge(0.0_rk, gone_ice, wanted(i) > 0.0_rk))
            left = snow%ice(i, k) - taken
            snow%thickness(i, k) = snow%thickness(i, k)*merge(left/max(snow%ice(i, k), tiny(left)), 1.0_rk, &
                                                              snow%ice(i, k) > 0.0_rk)
            snow%ice(i, k) = left
            wanted(i) = wanted(i) - taken
         end do
      end do
      unmet = wanted/dt
   end subroutine exchange_vapour

end module pl_snow_vapour
